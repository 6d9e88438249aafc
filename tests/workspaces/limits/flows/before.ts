export function before({}: {}): {seen: string} {
    log.info("this far");
    return {seen: "yes"};
}
