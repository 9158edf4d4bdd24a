# Fay replicates and a total with R's survey: Rscript bench_weighting.R <students.csv>
# Prints processor seconds of building the replicates, of the total with its standard error, the total and the error.
suppressMessages(library(survey))
d <- read.csv(commandArgs(trailingOnly = TRUE)[1])
build <- system.time({
  design <- svydesign(ids = ~psu, strata = ~zone, weights = ~weight, data = d)
  r <- as.svrepdesign(design, type = "Fay", fay.rho = 0.5, mse = TRUE, compress = TRUE)
})
estimate <- system.time(found <- svytotal(~score, r))
cpu <- function(t) sum(t[c("user.self", "sys.self")])
cat(sprintf("%.3f %.3f %.17g %.17g %d\n", cpu(build), cpu(estimate), coef(found), SE(found), ncol(weights(r))))
