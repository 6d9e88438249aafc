/** What the server keeps, time, and other flows. */
export async function kept({ given }: { given: string }): Promise<{ result: Record<string, unknown> }> {
    const first = await state.put("a/1", { n: 1 }, { ttl: 60_000 });
    await state.put("a/2", 2);
    const stale = await state.put("a/1", 5, { ifVersion: first.version + 7 }).catch((error: OperationError) => error.code);
    const listed = (await state.list("a/")).map(({ key }) => key);
    const removed = [await state.delete("a/2"), await state.delete("a/2")];
    const hash = await password.hash("secret");
    const failed = await flows.call("double", { n: -1 }).catch((error: OperationError) => error.code);
    const started = await flows.start("double", { n: 1 });
    log.info("info"), log.warn("warn"), log.error("error"), console.log("log");
    const ticks: number[] = [];
    const every = setInterval(() => ticks.push(ticks.length), 5);
    const never = setTimeout(() => ticks.push(99), 10_000);
    await new Promise<void>((done) => setTimeout(done, 30));
    clearInterval(every);
    clearTimeout(never);
    await sleep(5);
    return {
        result: {
            state: [(await state.get("a/1"))?.value, stale, listed, removed, await state.get("a/2")],
            secrets: [await secrets.getPassword("word"), (await secrets.getBasic("login")).username, await secrets.check("word", given), await secrets.check("word", "no")],
            password: [await password.verify("secret", hash), await password.verify("other", hash)],
            flows: [await flows.call("double", { n: 21 }), failed, typeof started.run],
            link: flows.link("confirm").includes("/.flowlet/resume/"),
            ticks: ticks.length > 0 && !ticks.includes(99),
        },
    };
}
