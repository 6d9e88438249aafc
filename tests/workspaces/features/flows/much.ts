export function much({n}: {n: number}): {text: string} {
    return {text: String(n % 10).repeat(1 << 20)};
}
