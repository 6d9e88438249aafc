export async function f() {
    return await flows.call("nowhere", {});
}
