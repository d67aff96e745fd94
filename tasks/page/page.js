const figures = JSON.parse(document.getElementById("data").text);
const touch = matchMedia("(pointer: coarse)").matches;
const isDay = (value) => /^\d{4}-\d\d-\d\d$/.test(value);

// A link to #day-2017-10-05 unfolds the day's verdict, wherever it comes from.
function unfold() {
  const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const more = row && row.nextElementSibling;
  const details = more && more.matches(".more") && more.querySelector("details");
  if (details) details.open = true;
  if (row) row.scrollIntoView({block: "center"});
}

for (const [name, figure] of Object.entries(figures)) {
  if (touch) Object.assign(figure.layout, {dragmode: false});  // a finger scrolls the page
  const place = document.getElementById(name);
  Plotly.newPlot(place, figure.data, figure.layout, {responsive: true, displayModeBar: false});
  place.on("plotly_click", (event) => {
    const {customdata, x} = event.points[0];  // the day is the one or the other
    const day = [customdata, x].map((value) => String(value).slice(0, 10)).find(isDay);
    if (!day || !document.getElementById(`day-${day}`)) return;
    if (location.hash === `#day-${day}`) unfold();
    location.hash = `day-${day}`;
  });
}
addEventListener("hashchange", unfold);
unfold();
