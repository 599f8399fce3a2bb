(() => {
  const main = document.querySelector("main"), age = document.getElementById("age");
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const tell = () => {
    const past = Math.max(0, Date.now() / 1000 - main.dataset.at);
    const [size, unit] = units.find(([size]) => past >= 2 * size) || units[3];
    const count = Math.floor(past / size);
    age.textContent = `, ${count} ${unit}${count === 1 ? "" : "s"} ago`;
    const old = past > main.dataset.old;
    document.body.classList.toggle("stale", old);
    document.getElementById("old").hidden = !old;
  };
  tell();
  setInterval(tell, 30000);
  const field = document.getElementById("q");
  document.getElementById("find").hidden = false;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase();
    for (const group of document.querySelectorAll(".tokens tbody")) {
      const rows = [...group.rows], title = rows[0].textContent.toLowerCase().includes(words);
      let shown = 0;
      for (const row of rows.slice(1)) {
        row.hidden = !title && !row.textContent.toLowerCase().includes(words);
        shown += row.hidden ? 0 : 1;
      }
      group.hidden = shown === 0;
    }
  });
})();
