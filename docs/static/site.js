// Tells each cell the name of its column, which a phone shows beside it.
for (const table of document.querySelectorAll("table.docutils")) {
  const columns = [...table.querySelectorAll("thead th")].map(cell => cell.textContent);
  for (const row of table.querySelectorAll("tbody tr")) {
    [...row.cells].forEach((cell, number) => { cell.dataset.column = columns[number] ?? ""; });
  }
}
