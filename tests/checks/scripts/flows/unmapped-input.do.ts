export function f({a, b}: {a: string; b: string}) {
    return {c: a + b};
}
