export function f() {
    return {};
}

export function g() {
    return {};
}
