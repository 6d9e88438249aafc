export function sum({ values }: { values: (number | null)[] }): { sum: number } {
    return { sum: values.reduce((all: number, n) => all + (n ?? 0), 0) };
}
