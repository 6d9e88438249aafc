export function twice({n}: {n: number}): {twice: number} {
    return {twice: 2 * n};
}
