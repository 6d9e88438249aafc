export function note({}: {}): {} {
    log.info("nothing to answer");
    return {};
}
