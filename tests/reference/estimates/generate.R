# Reference results of models and tests from R's survey, MASS and nlme (Debian packages r-cran-survey,
# r-cran-mass, r-cran-nlme) on the PISA 2018 and TIMSS 2011 files of the shared folder.
# Run in this folder: Rscript generate.R ../../../../shared/data > models.json
suppressMessages({library(survey); library(nlme)})
shared <- commandArgs(trailingOnly = TRUE)[1]
text <- function(x) if (is.list(x)) {
  paste0("{", paste0('"', names(x), '": ', vapply(x, text, ""), collapse = ", "), "}")
} else if (is.character(x)) paste0('"', x, '"') else if (length(x) == 1) sprintf("%.15g", x) else {
  paste0("[", paste(sprintf("%.15g", x), collapse = ", "), "]")
}
pisa <- read.csv(file.path(shared, "pisa2018_fra_ita_mex/students.csv"), na.strings = c("", "NA"))
names(pisa) <- toupper(names(pisa))
design <- svrepdesign(weights = pisa$W_FSTUWT, repweights = pisa[, paste0("W_FSTURWT", 1:80)], data = pisa,
                      type = "Fay", rho = 0.5, mse = TRUE, combined.weights = TRUE)
pair <- function(model) list(names = NULL, estimate = unname(coef(model)), standard_error = unname(SE(model)))
named <- function(model) { x <- pair(model); x$names <- NULL; x }
tight <- list(epsilon = 1e-14, maxit = 100)
logistic <- svyglm(I(ST011Q01TA == 1) ~ factor(ST004D01T) + PV1MATH, design = design, family = quasibinomial,
                   control = tight)
linear <- svyglm(PV1MATH ~ PV1READ + factor(ST004D01T), design = subset(design, CNT == "FRA"))
interaction <- svyglm(PV1MATH ~ PV1READ * factor(ST004D01T), design = subset(design, CNT == "ITA"))
pisa3 <- subset(design, ST007Q01TA %in% c(1, 2, 3, 4, 5))
pisa3 <- update(pisa3, SCHOOLING = factor(ST007Q01TA, ordered = TRUE), M = PV1MATH / 100)
ordered <- svyolr(SCHOOLING ~ M, design = pisa3)
chi <- lapply(c(FRA = "FRA", ITA = "ITA", MEX = "MEX"), function(c) {
  found <- svychisq(~ST004D01T + ST011Q01TA, subset(design, CNT == c), statistic = "F")
  list(f = unname(found$statistic), df = unname(found$parameter), p_value = unname(found$p.value),
       degf = degf(subset(design, CNT == c)))
})
totals <- svytotal(~factor(ST011Q01TA), subset(design, CNT == "FRA"), na.rm = TRUE)
ratio <- svyratio(~PV1MATH, ~PV1READ, subset(design, CNT == "FRA"))
timss <- read.csv(file.path(shared, "timss2011_g4_aut/students_pv_background.csv"), na.strings = c("", "NA"))
timss <- timss[!is.na(timss$ASBG04) & !is.na(timss$female), ]
two <- lme(ASMMAT01 ~ female + ASBG04, random = ~1 | idschool, data = timss, method = "ML",
           control = lmeControl(opt = "optim", tolerance = 1e-12, msTol = 1e-14))
null <- lme(ASMMAT01 ~ 1, random = ~1 | idschool, data = timss, method = "ML",
            control = lmeControl(opt = "optim", tolerance = 1e-12, msTol = 1e-14))
both <- function(m) list(coefficients = unname(fixef(m)), variances = as.numeric(VarCorr(m)[, 1]),
                         log_likelihood = as.numeric(logLik(m)))
cat(text(list(
  R = R.version.string, survey = as.character(packageVersion("survey")),
  nlme = as.character(packageVersion("nlme")),
  logistic = named(logistic), linear_fra = named(linear), interaction_ita = named(interaction),
  ordered = list(estimate = unname(coef(ordered)), standard_error = unname(SE(ordered)),
                 thresholds = unname(ordered$zeta)),
  chi_square = chi,
  totals_fra = list(estimate = as.numeric(coef(totals)), standard_error = as.numeric(SE(totals))),
  ratio_fra = list(estimate = as.numeric(coef(ratio)), standard_error = as.numeric(SE(ratio))),
  two_level = both(two), two_level_null = both(null))), "\n")
