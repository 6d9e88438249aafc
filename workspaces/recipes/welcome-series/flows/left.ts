export async function left({ email }: { email: string }): Promise<{ left: boolean }> {
    return { left: (await state.get(`left/${email.toLowerCase()}`)) !== null };
}
