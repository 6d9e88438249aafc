export function f(): {n: number} {
    return {n: "five"};
}
