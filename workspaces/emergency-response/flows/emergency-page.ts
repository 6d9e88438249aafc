/** The form: one thing to know, two that help. */
export function form({ site }: { site?: string }): { content: string } {
    return {
        content: `<p class="lead">Press the button and somebody is woken up, day or night. We also look at the site at once and tell you what we see.</p>
<form method="post" action="/API/emergency-button" accept-charset="utf-8">
<input type="hidden" name="site" value="${html.escape(site ?? "")}">
<label for="password">Password</label>
<input id="password" name="password" type="password" required maxlength="200" autocomplete="current-password" autofocus>
<label for="message">What is wrong? <small>if you can say</small></label>
<textarea id="message" name="message" maxlength="2000" placeholder="Customers cannot check out"></textarea>
<label for="contact">How do we reach you? <small>mail address or phone, if you like to hear from us</small></label>
<input id="contact" name="contact" maxlength="200" autocomplete="email">
<button type="submit">Raise the alarm</button>
</form>`,
    };
}
