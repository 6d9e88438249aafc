interface Failure { message: string }
interface Channel { name: string; state: "sent" | "trying" | "failed"; detail: string }

/** One line for each channel that is in use: sent, or still being tried, and why. */
export function report(input: {
    alreadyRaised?: boolean;
    pagerdutyError?: Failure; pagerdutyRun?: string;
    mailError?: Failure; mailRun?: string;
    slackOn?: boolean; slackError?: Failure; slackRun?: string;
    smsOn?: boolean; smsError?: Failure; smsRun?: string;
    telegramOn?: boolean; telegramError?: Failure; telegramRun?: string;
}): { channels: Channel[] } {
    const channels = [
        channel("On-call phone", input.pagerdutyError, input.pagerdutyRun, input.alreadyRaised ? "was already ringing for this incident" : "is ringing"),
        channel("Mail to the team", input.mailError, input.mailRun, "sent"),
    ];
    if (input.slackOn) channels.push(channel("Slack", input.slackError, input.slackRun, "sent"));
    if (input.smsOn) channels.push(channel("SMS", input.smsError, input.smsRun, "sent"));
    if (input.telegramOn) channels.push(channel("Telegram", input.telegramError, input.telegramRun, "sent"));
    return { channels };
}

function channel(name: string, error: Failure | undefined, run: string | undefined, sent: string): Channel {
    if (!error) return { name, state: "sent", detail: sent };
    log.warn(`${name}: ${error.message}`);
    return run
        ? { name, state: "trying", detail: "did not answer; it is still being tried, for up to an hour" }
        : { name, state: "failed", detail: "could not be reached" };
}
