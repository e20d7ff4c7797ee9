/**
 * Per-step alphas without cancellation: α near 1 loses 1 − α, and ᾱ near 1 loses 1 − ᾱ, so both are carried.
 * Arrays are indexed t − 1; t = 1 is the cleanest step.
 */
export interface StepAlphas {
  /** α_t in [0, 1] */
  alphas: number[];
  /** 1 − α_t */
  betas: number[];
  /** ᾱ_t */
  alphas_cumprod: number[];
  /** ln ᾱ_t in [−∞, 0]: finite where ᾱ_t underflows */
  log_alphas_cumprod: number[];
}

/** Running sums or products over t. */
export const accumulate = (values: readonly number[], combine: (a: number, b: number) => number): number[] => {
  const result: number[] = [];
  for (const value of values) {
    const last = result.at(-1);
    result.push(last === undefined ? value : combine(last, value));
  }
  return result;
};

/** ᾱ as the running product of α, with its logarithm. */
export const cumulate = (alphas: number[], betas: number[], log_alphas: readonly number[]): StepAlphas => ({
  alphas,
  betas,
  alphas_cumprod: accumulate(alphas, (a, b) => a * b),
  log_alphas_cumprod: accumulate(log_alphas, (a, b) => a + b),
});

/** 1 − ᾱ_t without cancellation. */
export const oneMinus = (log_alpha_cumprod: number | null | undefined): number =>
  -Math.expm1(log_alpha_cumprod ?? -Infinity);

export const fromBetas = (betas: readonly number[]): StepAlphas =>
  cumulate(
    betas.map(beta => 1 - beta),
    [...betas],
    betas.map(beta => Math.log1p(-beta)),
  );

export const fromAlphas = (alphas: readonly number[]): StepAlphas =>
  cumulate(
    [...alphas],
    alphas.map(alpha => 1 - alpha),
    alphas.map(alpha => Math.log(alpha)),
  );

/** α_t = ᾱ_t / ᾱ_{t−1} with ᾱ_0 = 1; ᾱ_{t−1} must not be 0. */
export const fromAlphasCumprod = (alphas_cumprod: readonly number[]): StepAlphas => {
  const previous = (index: number) => alphas_cumprod[index - 1] ?? 1;
  return {
    alphas: alphas_cumprod.map((value, index) => value / previous(index)),
    // The difference of neighbours is exact where 1 − α is small; 1 − ratio would not be.
    betas: alphas_cumprod.map((value, index) => (previous(index) - value) / previous(index)),
    alphas_cumprod: [...alphas_cumprod],
    log_alphas_cumprod: alphas_cumprod.map(value => Math.log(value)),
  };
};

/** The same from ln ᾱ_t, all finite. */
export const fromLogs = (log_alphas_cumprod: readonly number[]): StepAlphas => {
  const log_alphas = log_alphas_cumprod.map((value, index) => value - (log_alphas_cumprod[index - 1] ?? 0));
  return {
    alphas: log_alphas.map(value => Math.exp(value)),
    betas: log_alphas.map(value => -Math.expm1(value)),
    alphas_cumprod: log_alphas_cumprod.map(value => Math.exp(value)),
    log_alphas_cumprod: [...log_alphas_cumprod],
  };
};
