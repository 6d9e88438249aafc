export function double({n}: {n: number}): number {
    return n * 2;
}
