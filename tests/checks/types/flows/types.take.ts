export function take({n}: {n: number}): {twice: number} {
    return {twice: n * 2};
}
