// Made by build.mjs: the language's own declarations and those of library.d.ts, by file name.
declare module "flowlet:libraries" {
    const libraries: Record<string, string>;
    export default libraries;
}
