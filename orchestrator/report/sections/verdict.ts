import type { ReportData } from '../data.ts';
import { type Html, html } from '../html.ts';
import { count } from '../text.ts';
import { type Answer, lossAnswer, poseAnswer, sceneAnswer, textAnswer } from '../words.ts';
import { prose } from './prose.ts';

const signs = { good: '✓', bad: '✗', open: '○' };

const card = ({ question, answer, tone }: Answer): Html =>
  html`<li class="card ${tone}"><span class="question">${question}</span><strong><span aria-hidden="true">${signs[tone]} </span>${answer}</strong></li>`;

/** The verdict in plain words, before anything else. */
export const verdictSection = ({ verdict, summary, warnings }: ReportData): Html => {
  const answers = [poseAnswer(summary), sceneAnswer(summary), textAnswer(summary), lossAnswer(verdict)].filter(
    answer => answer !== null,
  );
  const broken = verdict.audit.filter(point => point.verdict === 'fails');
  return html`<section id="verdict"><h2>Verdict</h2>
<ul class="cards">${answers.map(card)}</ul>
${answers.map(({ sentence }) => html`<p>${sentence}</p>`)}
${
  broken.length > 0 &&
  html`<p>Where the derivation does not hold in this run (all eleven points: <a href="#audit">audit</a>):</p>
<ul class="broken">${broken.map(({ title, sentence }) => html`<li><strong>${title}.</strong> ${prose(sentence)}</li>`)}</ul>`
}
${warnings.length > 0 && html`<p><a href="#warnings">${count(warnings.length, 'warning')}</a> came up in this run.</p>`}
</section>`;
};
