// Filters and pages of the list of pairs. Without it the whole list is there.
(() => {
  const perPage = 24;
  const tools = document.querySelector('.tools');
  const cards = [...document.querySelectorAll('.pair')];
  if (!tools || cards.length === 0) return;
  const find = name => tools.querySelector(`[name=${name}]`);
  const shownText = document.querySelector('#shown');
  const list = document.querySelector('.pairs');
  let page = 0;

  const fits = ({ dataset }) => {
    const [split, kind, source, text] = ['split', 'class', 'source', 'text'].map(name => find(name).value);
    return (
      (split === '' || dataset.split === split) &&
      (kind === '' || JSON.parse(dataset.classes).includes(kind.slice(1))) &&
      (source === '' || JSON.parse(dataset.sources).includes(source)) &&
      dataset.text.includes(text.trim().toLowerCase())
    );
  };

  const distance = ({ dataset }) => (dataset.distance === '' ? -1 : Number(dataset.distance));
  const orders = {
    drawn: () => 0,
    near: (a, b) => distance(a) - distance(b),
    far: (a, b) => distance(b) - distance(a),
  };

  const show = () => {
    const found = cards.filter(fits).sort(orders[find('order').value]);
    const pages = Math.max(Math.ceil(found.length / perPage), 1);
    page = Math.min(Math.max(page, 0), pages - 1);
    const shown = found.slice(page * perPage, (page + 1) * perPage);
    const visible = new Set(shown);
    for (const card of cards) card.hidden = !visible.has(card);
    list.prepend(...shown);
    document.querySelector('.none').hidden = found.length > 0;
    find('previous').disabled = page === 0;
    find('next').disabled = page === pages - 1;
    shownText.textContent = `${found.length} of ${cards.length} pairs, page ${page + 1} of ${pages}`;
  };

  const turn = by => () => {
    page += by;
    show();
    document.querySelector('#pairs').scrollIntoView();
  };
  tools.addEventListener('input', () => {
    page = 0;
    show();
  });
  find('previous').addEventListener('click', turn(-1));
  find('next').addEventListener('click', turn(1));
  tools.hidden = false;
  show();
})();
