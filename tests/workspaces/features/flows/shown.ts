export function shown(given: {
    path: string; keyed: string; constant: {deep: number[]}; lines: string; template: string; setting: number; composed: {a: {b: string}; c: string}; list: any[]; missing?: string;
}): {given: any; missing: boolean} {
    return {given, missing: given.missing === undefined};
}
