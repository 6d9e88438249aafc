export async function f() {
    return {a: await secrets.getPassword("tokn")};
}
