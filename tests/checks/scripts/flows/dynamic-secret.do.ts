export async function f({name}: {name: string}) {
    return {a: await secrets.getPassword(name)};
}
