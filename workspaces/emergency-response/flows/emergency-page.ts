/** The form: one thing to know, two that help. */
export function form({ site }: { site?: string }): { content: string } {
    return {
        content: `<p class="lead">Somebody is woken up for you, day or night. We look at the site at once and show you what we see.</p>
<form method="post" action="/API/emergency-button" accept-charset="utf-8">
<input type="hidden" name="site" value="${html.escape(site ?? "")}">
<label for="password">Password</label>
<input id="password" name="password" type="password" required maxlength="200" autocomplete="current-password" autofocus>
<label for="message">What is wrong? <small>optional</small></label>
<textarea id="message" name="message" maxlength="2000" rows="3" placeholder="For example: customers cannot check out"></textarea>
<label for="contact">How do we reach you? <small>optional</small></label>
<input id="contact" name="contact" maxlength="200" autocomplete="email" placeholder="Mail address or phone number">
<button type="submit">Raise the alarm</button>
</form>
<p class="small">The answer comes within eight seconds. Pressing twice does no harm.</p>`,
    };
}
