export function f({n}: {n: number}): {big: boolean} {
    if (n > 5) return {big: true};
}
