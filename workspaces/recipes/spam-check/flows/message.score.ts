const DOUBTFUL = 2;
const SPAM = 5;

/** Points for what spam has and people's messages rarely have. */
export function score({ message, website, words }: { message: string; website?: string; words: string[] }):
    { points: number; reasons: string[]; verdict: string } {
    const found: [number, string][] = [];
    if (website) found.push([SPAM, "filled in the hidden field"]);
    const links = message.match(/https?:\/\//gi)?.length ?? 0;
    if (links > 1) found.push([links, `${links} links`]);
    for (const word of words) if (message.toLowerCase().includes(word.toLowerCase())) found.push([2, `"${word}"`]);
    if (message.length > 20 && message === message.toUpperCase()) found.push([2, "all in capitals"]);

    const points = found.reduce((sum, [n]) => sum + n, 0);
    const verdict = points >= SPAM ? "spam" : points >= DOUBTFUL ? "doubtful" : "good";
    log.info(`${verdict}: ${points} points`);
    return { points, reasons: found.map(([, reason]) => reason), verdict };
}
