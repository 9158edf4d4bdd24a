# Reference values of R's survey package: Rscript generate.R <folder of the inputs> <output.csv>
# Written with R 4.2.2 and survey 4.1-1 (Debian 12: r-base-core, r-cran-survey, r-cran-mass).
suppressMessages(library(survey))
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
out <- list()
keep <- function(name, values) {
  out[[length(out) + 1]] <<- data.frame(name = name, place = seq_along(values), value = sprintf("%.17g", values))
}
d <- read.csv(file.path(folder, "students.csv"), stringsAsFactors = FALSE)
first <- which(!duplicated(d$school_id))

# Replicate weights from the design: those of the first student of each school (by rows; they are factors of the
# school's), and standard errors around the full-sample estimate.
describe <- function(name, r, matrix = TRUE) {
  if (matrix) keep(paste0(name, ".matrix"), as.vector(t(weights(r, type = "analysis")[first, ])))
  keep(paste0(name, ".mean"), c(coef(svymean(~score, r)), SE(svymean(~score, r))))
  keep(paste0(name, ".total"), c(coef(svytotal(~score, r)), SE(svytotal(~score, r))))
  ratio <- svyratio(~score, ~books, r)
  keep(paste0(name, ".ratio"), c(coef(ratio), SE(ratio)))
}
describe("jk1", as.svrepdesign(svydesign(ids = ~school_id, weights = ~weight, data = d), type = "JK1", mse = TRUE))
stratified <- svydesign(ids = ~school_id, strata = ~stratum, weights = ~weight, data = d)
describe("jkn", as.svrepdesign(stratified, type = "JKn", mse = TRUE))
d$n_schools <- 60
corrected <- svydesign(ids = ~school_id, strata = ~stratum, weights = ~weight, fpc = ~n_schools, data = d)
describe("jkn_fpc", as.svrepdesign(corrected, type = "JKn", mse = TRUE), matrix = FALSE)

# Balanced half-samples on the same pairs. survey numbers the strata in the order of their names, takes for stratum i
# row i + 1 of the matrix and for replicate r its column r, and keeps the second PSU of a stratum where the entry is
# that of the first row: so the matrix is transposed, zones are padded with zeros, PSUs stand with role 1 last.
h <- unname(t(as.matrix(read.csv(file.path(folder, "hadamard.csv")))))
d$pair <- sprintf("%03d", d$zone)
o <- order(d$pair, -d$role)
pairs <- svydesign(ids = ~school_id, strata = ~pair, weights = ~weight, data = d[o, ])
back <- order(o)
half <- function(name, ...) {
  r <- as.svrepdesign(pairs, mse = TRUE, ...)
  describe(name, r, matrix = FALSE)
  keep(paste0(name, ".matrix"), as.vector(t(weights(r, type = "analysis")[back, ][first, ])))
}
half("brr", type = "BRR", hadamard.matrix = h)
half("fay", type = "Fay", fay.rho = 0.5, hadamard.matrix = h)
# With survey's own Hadamard matrix the variance of a total is the same: balance leaves no choice.
own <- as.svrepdesign(pairs, type = "Fay", fay.rho = 0.5, mse = TRUE)
keep("fay_own_matrix.total", SE(svytotal(~score, own)))

# Replicates with non-response redone, handed to survey as they are: only its arithmetic of the variance.
n <- read.csv(file.path(folder, "nonresponse.csv"))
given <- svrepdesign(data = n, weights = ~weight, repweights = "^r[0-9]+", type = "Fay", rho = 0.5,
                     combined.weights = TRUE, mse = TRUE)
keep("given.mean", c(coef(svymean(~score, given)), SE(svymean(~score, given))))
keep("given.total", c(coef(svytotal(~score, given)), SE(svytotal(~score, given))))

# Calibration.
plain <- svydesign(ids = ~1, weights = ~weight, data = d)
n_pop <- round(sum(d$weight))
sex <- c(F = 0.48, M = 0.52) * n_pop
area <- c(rural = 0.45, urban = 0.55) * n_pop
raked <- rake(plain, list(~sex, ~area), list(data.frame(sex = names(sex), Freq = sex),
              data.frame(area = names(area), Freq = area)), control = list(maxit = 200, epsilon = 1e-12))
keep("rake", weights(raked))
totals <- c("(Intercept)" = n_pop, sexM = unname(sex["M"]), areaurban = unname(area["urban"]))
settings <- function(...) weights(calibrate(plain, ~sex + area, totals, epsilon = 1e-13, maxit = 200, ...))
keep("linear", settings(calfun = "linear"))
keep("raking_bounded", settings(calfun = "raking", bounds = c(0.85, 1.6)))
keep("linear_bounded", settings(calfun = "linear", bounds = c(0.85, 1.6)))
keep("greg", weights(calibrate(plain, ~sex + books, c("(Intercept)" = n_pop, sexM = unname(sex["M"]),
     books = 1.03 * sum(d$weight * d$books)), calfun = "linear", epsilon = 1e-13)))

# Independence of response and region in the clustered sample.
f <- svychisq(~responded + region, stratified, statistic = "F")
x <- svychisq(~responded + region, stratified, statistic = "Chisq")
keep("rao_scott", c(f$statistic, f$parameter, f$p.value, x$statistic, x$p.value))
write.csv(do.call(rbind, out), arguments[2], row.names = FALSE, quote = FALSE)
