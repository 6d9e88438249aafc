interface Invoice { number: string; customer: string; email: string; total: number; due: string }
interface Reminder { step: number; key: string; invoice: Invoice }

const DAY = 86_400_000;
const STEPS = [7, 21, 35]; // days overdue

/** The newest step of each overdue invoice that was not sent yet. */
export async function due({ invoices }: { invoices: Invoice[] }): Promise<{ reminders: Reminder[] }> {
    const sent = new Set((await state.list("sent/")).map(({ key }) => key));
    const reminders = invoices.flatMap((invoice) => {
        const overdue = Math.floor((Date.now() - Date.parse(invoice.due)) / DAY);
        const step = STEPS.filter((days) => overdue >= days).length;
        const key = `sent/${invoice.number}/${step}`;
        return step > 0 && !sent.has(key) ? [{ step, key, invoice }] : [];
    });
    return { reminders };
}
