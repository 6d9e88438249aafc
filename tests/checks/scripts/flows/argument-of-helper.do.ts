export function f({a}: {a: string}): {n: number} {
    return {n: twice(a)};
}

function twice(n: number): number {
    return n * 2;
}
