// Everything that a run must not be able to do to its neighbours. Tests look for the lines of what throws.
const abuses: Record<string, () => unknown> = {
    loop() {
        for (;;) {}
    },
    promises() {
        const again = (): Promise<unknown> => Promise.resolve().then(again);
        return again();
    },
    array() {
        const kept: number[][] = [];
        for (;;) kept.push(new Array(1000).fill(0.5));
    },
    string() {
        let text = "0123456789abcdef";
        for (;;) {
            text += text;
            text.indexOf("g");
        }
    },
    buffer() {
        const kept: Uint8Array[] = [];
        for (;;) kept.push(new Uint8Array(1 << 20).fill(1));
    },
    map() {
        const kept = new Map<string, string>();
        for (let i = 0; ; i++) kept.set(`key ${i}`, `value ${i}`);
    },
    regex() {
        return /^(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[^a]$/.test("a".repeat(60));
    },
    bigint() {
        let n = 3n ** 1_000_000n;
        for (;;) n *= n;
    },
    gigabyte() {
        return "x".repeat(1 << 30);
    },
    large() {
        return "x".repeat(24 << 20);
    },
    recursion() {
        const deeper = (n: number): number => deeper(n + 1) + 1;
        return deeper(0);
    },
    operations() {
        return Promise.all(Array.from({length: 10_000}, () => sleep(1000)));
    },
    logging() {
        for (;;) console.log("x".repeat(10_000));
    },
    lines() {
        for (let i = 0; i < 5000; i++) console.log("x".repeat(10_000));
        throw new Error("enough");
    },
    message() {
        throw new Error("x".repeat(2 << 20));
    },
    starts() {
        return Promise.all(Array.from({length: 900}, (_, n) => flows.start("greet", {n})));
    },
    wait() {
        return sleep(60_000);
    },
    nested() {
        let value: unknown = 1;
        for (let i = 0; i < 100_000; i++) value = [value];
        return value;
    },
    wide() {
        return {items: [1, {when: [0, NaN]}]};
    },
    func() {
        return {items: [{run: () => 1}]};
    },
    cycle() {
        const family: {child: {parent?: unknown}} = {child: {}};
        family.child.parent = family;
        return family;
    },
    big() {
        return {amount: 1n};
    },
    getter() {
        return {
            get slow() {
                for (;;) {}
            },
        };
    },
    proxy() {
        return new Proxy({}, {ownKeys: () => Array.from({length: 1e9}, (_, i) => `${i}`)});
    },
    thenable() {
        return {then: (done: (value: unknown) => void) => done(abuses.thenable())};
    },
    thrower() {
        const error = new Error("first");
        Object.defineProperty(error, "message", {
            get() {
                throw new Error("from the message");
            },
        });
        throw error;
    },
    nothing() {
        throw null;
    },
    undefinedName() {
        const user = JSON.parse("{}");
        return user.address.street;
    },
};

export async function abuse({what}: {what: string}): Promise<{result: any}> {
    await sleep(1);
    return {result: await abuses[what]()};
}
