export function turn({n}: {n: number}): {value: number} {
    return {value: n * 2};
}
