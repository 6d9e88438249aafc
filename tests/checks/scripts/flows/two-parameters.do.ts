export function f(a: string, b: string) {
    return {a, b};
}
