export function turn({to}: {to: "up" | "down"}): {to: string} {
    return {to};
}
