/** A backup whose server could not be asked is not good either. */
export function collect({ problems, failures, backups }: {
    problems: (string | null)[]; failures: { index: number; error: { message: string } }[]; backups: { name: string }[];
}): { lines: string[] } {
    const unasked = failures.map(({ index, error }) => `${backups[index].name}: ${error.message}`);
    return { lines: [...problems.filter((problem): problem is string => Boolean(problem)), ...unasked] };
}
