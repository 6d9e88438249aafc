export async function leave({ email }: { email: string }): Promise<void> {
    await state.put(`left/${email.toLowerCase()}`, new Date().toISOString());
}
