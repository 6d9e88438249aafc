export function f() {
    return {a: ;
}
