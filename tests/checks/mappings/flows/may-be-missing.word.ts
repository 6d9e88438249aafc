export function word(): {word: string} {
    return {word: "x"};
}
