/** What `npm run claim` compares: objectives, each over its weight, under the readings of the states. */
export interface Setting {
  name: string;
  objective: string;
  latents: string;
  /** of the scene term or of Eq. 18; null where the objective has none */
  weight: number | null;
  /** as `--set` takes them */
  set: readonly string[];
}

/** The reading in words, and its values. */
const readings: Readonly<Record<string, readonly string[]>> = {
  trajectory: ['method.latents.source=trajectory', 'method.latents.state=own'],
  noised: ['method.latents.source=noised', 'method.latents.state=own'],
  'noised-b': ['method.latents.source=noised', 'method.latents.state=b'],
};

const objectives: readonly { objective: string; key: string | null; weights: readonly (number | null)[] }[] = [
  { objective: 'patent', key: null, weights: [null] },
  { objective: 'score', key: null, weights: [null] },
  { objective: 'score+pose', key: 'method.score_weight', weights: [0.3, 1, 3] },
  { objective: 'patent+scene', key: 'method.scene_weight', weights: [0.05, 0.2, 0.8] },
];

export const settings: readonly Setting[] = Object.entries(readings).flatMap(([latents, reading]) =>
  objectives.flatMap(({ objective, key, weights }) =>
    weights.map(weight => ({
      name: [objective.replace('+', '-'), ...(weight === null ? [] : [weight]), latents].join('-').replace('.', 'p'),
      objective,
      latents,
      weight,
      set: [`method.objective=${objective}`, ...reading, ...(key === null ? [] : [`${key}=${weight}`])],
    })),
  ),
);
