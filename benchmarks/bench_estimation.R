# Means, a regression and seven percentiles with plausible values in R's survey and mitools:
# Rscript bench_estimation.R <students.csv>
# Prints processor seconds of the design and of each statistic, then the numbers of the first province.
suppressMessages({library(survey); library(mitools)})
d <- read.csv(commandArgs(trailingOnly = TRUE)[1], colClasses = c(province_code = "character"))
cpu <- function(t) sum(t[c("user.self", "sys.self")])
replicates <- grep("^replicate_", names(d))
build <- system.time(design <- svrepdesign(
  weights = d$final_weight, repweights = d[, replicates], data = d[, -replicates], type = "Fay", rho = 0.5,
  mse = TRUE, combined.weights = TRUE
))
pooled <- function(run) MIcombine(lapply(1:10, run))
means <- system.time(found <- pooled(function(m) {
  svyby(as.formula(paste0("~PV", m, "MATHS")), ~province_code, design, svymean)
}))
one <- subset(design, province_code == "01")
slopes <- system.time(fit <- pooled(function(m) {
  svyglm(as.formula(paste0("PV", m, "MATHS ~ ESCS + factor(GENDER)")), design = one)
}))
shares <- c(5, 10, 25, 50, 75, 90, 95) / 100
quantiles <- system.time(lapply(1:10, function(m) {
  svyquantile(as.formula(paste0("~PV", m, "MATHS")), one, shares, interval.type = "quantile", ci = TRUE)
}))
cat(sprintf("%.17g", c(cpu(build), cpu(means), cpu(slopes), cpu(quantiles), coef(found)[1], SE(found)[1],
                        coef(fit)[2], SE(fit)[2])), "\n")
