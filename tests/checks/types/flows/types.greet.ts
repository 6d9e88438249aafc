export function greet({person}: {person: {name: string; age?: number}}): {text: string} {
    return {text: `Hello ${person.name}`};
}
