/** Phone and mail always go out; these three only where they are set up. */
export function wanted({ slack, smsTo, telegramChat }: { slack?: boolean; smsTo?: string; telegramChat?: string }): {
    slackOn: boolean; smsOn: boolean; telegramOn: boolean;
} {
    return { slackOn: slack === true, smsOn: !!smsTo, telegramOn: !!telegramChat };
}
