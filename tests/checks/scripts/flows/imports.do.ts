import x from "y";

export function f() {
    return {};
}
