// Shows who is logged in, and logs out. The link to log in stands in the page itself and works without this.
const face = document.body.dataset.face;
const part = (name) => document.getElementById(name);
const answer = await fetch(`/${face}/auth/session`, { headers: { Accept: "application/json" } });
if (answer.ok) {
  const session = await answer.json();
  part("who").textContent = session.person_id;
  part("outside").hidden = true;
  part("inside").hidden = false;
}
part("leave").addEventListener("click", async () => {
  let next = `/${face}/`;
  try {
    const left = await fetch(`/${face}/auth/logout`, { method: "POST", headers: { "X-Tongban-CSRF": "1" } });
    if (left.ok) next = (await left.json()).logout_url;
  } finally {
    // whatever is answered, nothing of the person stays on the screen
    part("who").textContent = "";
    location.assign(next);
  }
});
