function f() {
    return {};
}

function g() {
    return {};
}
