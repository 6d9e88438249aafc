// Node-RED as it comes, without the editor and the start-up checks for palette updates; it only warns.
module.exports = {
    uiHost: "127.0.0.1",
    flowFile: "flows.json",
    credentialSecret: false,
    disableEditor: true,
    externalModules: { palette: { allowInstall: false }, modules: { allowInstall: false } },
    telemetry: { enabled: false, updateNotification: false },
    functionGlobalContext: { work: require("./work.cjs") },
    logging: { console: { level: "warn", metrics: false, audit: false } },
};
