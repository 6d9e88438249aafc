export function number({n}: {n: number}): {n: number; seen: string} {
    return {n: n + 1, seen: `number ${n}`};
}
