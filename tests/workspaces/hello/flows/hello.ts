export function hello({name}: {name: string}): {message: string} {
    return {message: "Hello " + name};
}
