export function sum({list}: {list: number[]}): {sum: number} {
    return {sum: list.reduce((a, b) => a + b, 0)};
}
