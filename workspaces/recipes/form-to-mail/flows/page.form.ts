/** The page with the form. */
export function form({ site }: { site: string }): { page: string } {
    const page = html`<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Contact ${site}</title>
<h1>Contact ${site}</h1>
<form method="post" action="/contact">
<p><label>Your name<br><input name="name" required maxlength="100" autocomplete="name"></label></p>
<p><label>Your e-mail address<br><input name="email" type="email" required maxlength="200" autocomplete="email"></label></p>
<p><label>Message<br><textarea name="message" required maxlength="5000" rows="8" cols="50"></textarea></label></p>
<p><button>Send</button></p>
</form>
</html>`;
    return { page: String(page) };
}
