# The numbers of statistics.tsv, from R's own functions, psych and lme4 (Debian: r-base-core, r-cran-lme4,
# r-cran-psych). ppcor, TOSTER and rmcorr are not packaged there: their definitions are written out.
# Run in this folder: Rscript statistics.R > statistics.tsv
suppressMessages({library(lme4); library(psych)})
read <- function(name) read.delim(paste0(name, ".tsv"), stringsAsFactors = TRUE)

put <- function(name, value) cat(name, "\t", sprintf("%.10g", as.numeric(value)), "\n", sep = "")
cat("name\tvalue\n")

# Correlations
d <- read("languages")
put("spearman", suppressWarnings(cor.test(d$x, d$y, method = "spearman"))$estimate)
put("spearman_partial", partial.r(d[c("x", "y", "size")], c("x", "y"), "size", method = "spearman")[1, 2])
compared <- r.test(n = nrow(d), r12 = cor(d$x, d$y), r13 = cor(d$x, d$z), r23 = cor(d$y, d$z))
put("steiger_t", compared$t)
put("steiger_p", compared$p)
pairs <- read("pairs")
within <- anova(lm(gain ~ language + similarity, pairs))
slope <- coef(lm(gain ~ language + similarity, pairs))["similarity"]
r <- sign(slope) * sqrt(within["similarity", 2] / (within["similarity", 2] + within["Residuals", 2]))
free <- within["Residuals", 1]
put("rm_r", r)
put("rm_freedom", free)
put("rm_p", within["similarity", 5])
put("rm_low", tanh(atanh(r) - qnorm(0.975) / sqrt(free + 2 - 3)))
put("rm_high", tanh(atanh(r) + qnorm(0.975) / sqrt(free + 2 - 3)))

# The family model
strict <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10))
fit <- lmer(y ~ x + size + (1 | family), d, control = strict)
put("family_slope", fixef(fit)["x"])
put("family_error", sqrt(vcov(fit)["x", "x"]))
put("family_ratio", getME(fit, "theta")^2)
put("family_p", 2 * pt(-abs(fixef(fit)["x"] / sqrt(vcov(fit)["x", "x"])), nlevels(d$family) - 3))

# Crossed runs and languages. In balanced data with positive components REML is the analysis of variance.
d <- read("contrast")
d$seed <- factor(d$seed)
runs <- nlevels(d$seed)
codes <- nlevels(d$language)
squares <- anova(lm(value ~ seed + language, d))[["Mean Sq"]]
parts <- squares / nrow(d)
plain <- lmer(value ~ 1 + (1 | seed) + (1 | language), d, control = strict)
satterthwaite <- function(v, free) (v[1] + v[2] - v[3])^2 / sum(v^2 / free)
put("crossed_estimate", fixef(plain))
put("crossed_error_lme4", sqrt(vcov(plain)[1, 1]))
put("crossed_error", sqrt(parts[1] + parts[2] - parts[3]))
put("crossed_freedom", floor(satterthwaite(parts, c(runs - 1, codes - 1, (runs - 1) * (codes - 1)))))
# With families: languages by the model of their means, the interaction from sequential sums of squares.
means <- aggregate(value ~ language + family, d, mean)
model <- lmer(value ~ 1 + (1 | family), means, control = strict)
size <- table(means$family)
among <- anova(lm(value ~ seed + language + seed:family, d))[c("seed:family", "Residuals"), "Mean Sq"]
typical <- (codes - sum(size^2) / codes) / (length(size) - 1)
enter <- function(between, within) between * sum(size^2) / codes^2 + within / codes
own <- enter(VarCorr(model)$family[1, 1], sigma(model)^2)
shared <- enter(max((among[1] - among[2]) / typical, 0), among[2]) / runs
parts <- c(parts[1], own, shared)
families <- length(size)
error <- sqrt(sum(parts * c(1, 1, -1)))
free <- floor(satterthwaite(parts, c(runs - 1, families - 1, (runs - 1) * (families - 1))))
put("families_error", error)
put("families_freedom", free)
put("families_p", 2 * pt(-abs(mean(d$value)) / error, free))
put("families_low", mean(d$value) - qt(0.975, free) * error)
below <- pt((mean(d$value) - 3) / error, free)
above <- pt((mean(d$value) + 3) / error, free, lower.tail = FALSE)
put("tost_p", max(below, above))
put("tost_high", mean(d$value) + qt(0.95, free) * error)

# Orders: the variance components of lme4 and of the mean squares, and all relabellings in a plain loop
d <- read("orders")
d$seed <- factor(d$seed)
three <- anova(lm(value ~ (order + seed + language)^2, d))
for (row in rownames(three)) put(paste0("square_", gsub(":", "_", row)), three[row, "Mean Sq"])
m <- tapply(d$value, list(d$seed, d$order), mean)
tasks <- c("a", "b", "c")
all <- as.matrix(expand.grid(1:3, 1:3, 1:3))
all <- all[apply(all, 1, function(row) length(unique(row)) == 3), ]
renamed <- function(values, p) {
  names <- sapply(strsplit(names(values), "-"), function(o) paste(tasks[p[match(o, tasks)]], collapse = "-"))
  values[names]
}
square <- function(rows) nrow(rows) * var(colMeans(rows))
found <- c()
for (i in 1:6) for (j in 1:6) {
  found <- c(found, square(rbind(m[1, ], renamed(m[2, ], all[i, ]), renamed(m[3, ], all[j, ]))))
}
put("order_statistic", square(m))
put("order_p", mean(found >= square(m) - 1e-9))

# Similarity: every permutation of the intermediates in a plain loop
pair <- aggregate(cbind(similarity, gain) ~ intermediate + target, pairs, mean)
x <- tapply(pair$similarity, list(pair$intermediate, pair$target), mean)
y <- tapply(pair$gain, list(pair$intermediate, pair$target), mean)
centred <- function(p) {
  moved <- y[p, ]
  both <- !is.na(x) & !is.na(moved)
  centre <- function(side) { side[!both] <- NA; sweep(side, 2, colMeans(side, na.rm = TRUE))[both] }
  cor(centre(x), centre(moved))
}
grid <- as.matrix(expand.grid(rep(list(1:6), 6)))
grid <- grid[apply(grid, 1, function(row) length(unique(row)) == 6), ]
every <- apply(grid, 1, centred)
put("label_r", centred(1:6))
put("label_p", mean(abs(every) >= abs(centred(1:6)) - 1e-9))

# The crossed mixed model
random <- "(1 | intermediate) + (1 | target) + (1 | intermediate:target) + (1 | language)"
full <- lmer(formula(paste("gain ~ similarity +", random)), pairs, control = strict)
put("mixed_slope", fixef(full)["similarity"])
put("mixed_error", sqrt(vcov(full)["similarity", "similarity"]))
put("mixed_intercept", fixef(full)["(Intercept)"])
components <- as.data.frame(VarCorr(full))
for (i in seq_len(nrow(components))) put(paste0("mixed_", gsub(":", "_", components$grp[i])), components$vcov[i])

# Slopes over sizes, corrections, power, one value per run
d <- aggregate(slope ~ parameters, read("slopes"), mean)
fit <- summary(lm(slope ~ log10(parameters), d))$coefficients
put("sizes_slope", fit[2, 1])
put("sizes_error", fit[2, 2])
put("sizes_p", fit[2, 4])
p <- c(0.001, 0.012, 0.02, 0.04, 0.3)
for (method in c("holm", "BH", "BY")) {
  adjusted <- p.adjust(p, method)
  for (i in seq_along(p)) put(paste0(method, i), adjusted[i])
}
power <- function(shift, free) {
  critical <- qt(0.975, free)
  pt(critical, free, shift, lower.tail = FALSE) + pt(-critical, free, shift)
}
for (free in c(2, 3, 12)) {
  put(paste0("detectable", free), uniroot(function(s) power(s, free) - 0.8, c(0, 50), tol = 1e-10)$root)
}
t <- t.test(c(0.1, 0.3, 0.25, 0.05))
put("runs_low", t$conf.int[1])
put("runs_p", t$p.value)
