# Results of R for tests/reference/irt_diagnostics; run: Rscript generate.R <folder of shared data> > expected.json
# Debian 12: R 4.2.2, psych 2.2.9, eRm 1.0-2.1 (r-cran-psych, r-cran-erm); stats of base R.
suppressPackageStartupMessages({library(psych); library(eRm)})
shared <- commandArgs(trailingOnly = TRUE)[1]
digits <- function(x) ifelse(is.finite(x), formatC(x, digits = 16, format = "g"), "null")
vec <- function(x) paste0("[", paste(digits(as.numeric(x)), collapse = ","), "]")
obj <- function(...) { a <- list(...); paste0("{", paste0("\"", names(a), "\":", unlist(a), collapse = ",\n"), "}") }
str <- function(x) paste0("\"", x, "\"")
read <- function(path, ...) read.csv(file.path(shared, "data", path), ...)

classical <- function(x) {
  a <- psych::alpha(x, check.keys = FALSE, warnings = FALSE)
  f <- suppressWarnings(psych::fa(cor(x), nfactors = 1, fm = "minres"))
  l <- as.numeric(f$loadings)
  drop <- sapply(seq_len(ncol(x)), function(j) cor(x[, j], rowSums(x[, -j])))
  obj(alpha = digits(a$total$raw_alpha), alpha_without = vec(a$alpha.drop$raw_alpha), r_drop = vec(a$item.stats$r.drop),
      cor_rest = vec(drop), omega = digits(sum(l)^2 / (sum(l)^2 + sum(1 - l^2))))
}
lsat <- read("classic_irt/LSAT7_expanded.csv"); sat <- read("classic_irt/SAT12_scored.csv"); science <- read("classic_irt/Science.csv") - 1

rasch_fit <- function(x) {
  m <- RM(x); pp <- person.parameter(m); i <- itemfit(pp); p <- personfit(pp)
  total <- rowSums(x); inside <- total > 0 & total < ncol(x)
  theta <- rep(NA, nrow(x)); theta[inside] <- pp$theta.table[inside, "Person Parameter"]
  obj(difficulty = vec(-m$betapar), theta = vec(theta), item_outfit = vec(i$i.outfitMSQ), item_infit = vec(i$i.infitMSQ),
      person_outfit = vec(head(p$p.outfitMSQ, 100)), person_infit = vec(head(p$p.infitMSQ, 100)),
      persons = vec(head(which(inside), 100)))
}

mh <- function(x, focal) {
  total <- rowSums(x)
  both <- function(j) {
    t <- table(factor(focal, 0:1), factor(x[, j], 0:1), total)
    n <- apply(t, 3, sum); g <- apply(t, c(1, 3), sum)
    t[, , n > 1 & g[1, ] > 0 & g[2, ] > 0, drop = FALSE]
  }
  one <- lapply(seq_len(ncol(x)), function(j) mantelhaen.test(both(j), correct = TRUE))
  two <- lapply(seq_len(ncol(x)), function(j) mantelhaen.test(both(j), correct = FALSE))
  fits <- lapply(seq_len(ncol(x)), function(j) {
    y <- x[, j]
    list(glm(y ~ 1, binomial), glm(y ~ total, binomial), glm(y ~ total + focal, binomial), glm(y ~ total * focal, binomial))
  })
  dev <- sapply(fits, function(f) sapply(f, deviance)); n <- nrow(x)
  nagel <- function(d, d0) (1 - exp((d - d0) / n)) / (1 - exp(-d0 / n))
  r2 <- apply(dev, 2, function(d) nagel(d, d[1]))
  obj(corrected = vec(sapply(one, function(m) m$statistic)), plain = vec(sapply(two, function(m) m$statistic)),
      p = vec(sapply(one, function(m) m$p.value)),
      odds = vec(1 / sapply(one, function(m) m$estimate)),
      uniform = vec(dev[2, ] - dev[3, ]), nonuniform = vec(dev[3, ] - dev[4, ]), both = vec(dev[2, ] - dev[4, ]),
      r2_uniform = vec(r2[3, ] - r2[2, ]), r2_both = vec(r2[4, ] - r2[2, ]),
      group_effect = vec(sapply(fits, function(f) coef(f[[3]])[3])),
      interaction = vec(sapply(fits, function(f) coef(f[[4]])[4])))
}
fims <- na.omit(read("fims_aus_jpn/items.csv")); ij <- grep("^M1", names(fims))
fims <- fims[apply(fims[, ij] <= 1, 1, all), ]
idn <- read("pisa2012_idn_booklet/items.csv"); ii <- grep("^pm", names(idn)); xi <- 1 * (as.matrix(idn[, ii]) == "Score 1")

generalized <- function(x, focal) {
  total <- rowSums(x)
  vec(sapply(seq_len(ncol(x)), function(j) {
    t <- table(factor(focal, 0:1), factor(x[, j], 0:3), total)
    n <- apply(t, 3, sum); g <- apply(t, c(1, 3), sum)
    mantelhaen.test(t[, , n > 1 & g[1, ] > 0 & g[2, ] > 0, drop = FALSE])$statistic
  }))
}
cat(obj(
  software = obj(R = str(R.version.string), psych = str(as.character(packageVersion("psych"))), eRm = str(as.character(packageVersion("eRm")))),
  classical = obj(LSAT7 = classical(lsat), SAT12 = classical(sat), Science = classical(science)),
  rasch = obj(LSAT7 = rasch_fit(lsat), SAT12 = rasch_fit(sat)),
  fims = mh(as.matrix(fims[, ij]), fims$country - 1), idn = mh(xi, 1 * (idn$st04q01 == "Female")),
  science_odd_even = generalized(as.matrix(science), seq_len(nrow(science)) %% 2)
), "\n")
