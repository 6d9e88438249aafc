export function f() {
    return {text: require("fs").readFileSync("/etc/passwd")};
}
